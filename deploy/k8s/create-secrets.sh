#!/usr/bin/env bash
# Makes the Secrets of a namespace from a folder of secret files, one folder a reader:
#
#   create-secrets.sh FOLDER [NAMESPACE]
#
# `python -m deploy.docker.inside.bootstrap FOLDER` makes such a folder, with what is missing of it.
# Secrets that exist are changed to what the files hold. Nothing secret is printed.
set -euo pipefail

folder=${1:?usage: create-secrets.sh FOLDER [NAMESPACE]}
namespace=${2:-speechgate}

for reader in gateway asr tts nlp postgres backup redis; do
	if [ ! -d "$folder/$reader" ]; then
		continue
	fi
	# By `create` and `apply`: neither the command line nor the object's history holds a value.
	kubectl create secret generic "$reader" --namespace "$namespace" \
		--from-file="$folder/$reader" --dry-run=client --output=yaml |
		kubectl apply --server-side --force-conflicts --field-manager=create-secrets -f -
done

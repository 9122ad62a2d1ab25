"""What `speechgate doctor` asks of an installation, a module for each kind of dependency."""

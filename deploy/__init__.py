"""How the platform is deployed; `deploy.local` runs it on one machine."""

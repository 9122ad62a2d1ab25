"""Opens the parts of a gateway process, each as one context manager."""

"""Wire models, and their translation to and from the domain's."""

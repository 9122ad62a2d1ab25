"""Language tasks on text: translation, sentiment, language detection."""

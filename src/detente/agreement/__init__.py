"""What was agreed: parties and their root keys, terms, cards and key certificates."""

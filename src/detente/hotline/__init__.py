"""What is said over the line, and how fast an answer is owed: values and tables, no state."""

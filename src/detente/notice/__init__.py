"""What we will do, and that you heard: activity notices and receipts."""

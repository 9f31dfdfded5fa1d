"""What two nodes say, without a wire: statements, links, the fold, bundles."""

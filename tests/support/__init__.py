"""What tests share: stubs, problems, made-up runs."""

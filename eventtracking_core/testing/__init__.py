"""What users import in their tests, and the conformance suites for what they write."""

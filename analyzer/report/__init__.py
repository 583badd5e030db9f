"""Understand what AWS gives: bytes become text, text becomes rows, rows become tidy pages."""

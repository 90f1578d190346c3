"""Tests of the bulk ways in."""

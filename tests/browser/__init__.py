"""The console in Chromium: every page, every act, both languages, a desk and a phone."""

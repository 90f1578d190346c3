"""A partner's list of a day against ours."""

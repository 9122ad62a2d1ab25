"""Figures and coachable moments of a call: rules over words and times, no framework, no model.

The same segments and rules give the same findings, to the byte.
"""

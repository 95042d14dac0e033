"""Figures: coverage 不漏 by subtraction with an owner for each gap, and headcounts both ways.

A figure is a number, a confirmed zero, or unknown (null); silence is never zero.
"""

"""Photos 照片 taken at a door: sealed, without what a camera writes beside the picture, with an end.

Always true: what is stored is a JPEG's picture and nothing else; nobody sees one without a line in the trail.
"""

"""Papers: what leaves as PDF, and the marks by which a copy is known again. Data in, bytes out.

It knows no record, no key and no clock. `document` is what a paper says, `rendering` makes a
PDF of it, `marks` spells and finds marks, `copies` reads the text of a copy.
"""

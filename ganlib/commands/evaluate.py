def add(s,a): pass

package group

// Kill ends the group without a word to the others, as if the process had died.
func (g *Group) Kill() error { return g.close(func() {}) }

package quote

// Steps returns how often lines of a text are looked at to split it, and how many it has.
func Steps(text string) (steps, lines int) {
	all, _ := textLines(text)
	s := newSplitter(all)
	s.run()
	return s.steps, len(all)
}

package quote

const (
	shortQuote     = 3   // lines of a quotation that nothing introduces, such as a prompt: shown
	littleWritten  = 600 // bytes above a forwarded mail that don't make it a quotation
	sigLines       = 15  // lines of a signature at most
	dividedLines   = 8   // the same where the delimiter may be a divider
	dividedLineLen = 80  // and bytes of each of its lines
)

// piece is a run of lines of one kind.
type piece struct {
	from, to int // lines[from:to]
	kind     Kind
	inline   bool
	blank    bool // all its lines are
}

type splitter struct {
	options Options
	lines   []line
	next    []int // next[i] is the first line from i on that isn't blank
	pieces  []piece
	written int // bytes written so far
	tried   int // lines that were looked at closely
	steps   int // how often a line was looked at; a test bounds it
}

// split returns the pieces of a mail. It looks at every line a bounded number of times.
func split(lines []line, o Options) []piece {
	s := newSplitter(lines)
	s.options = o
	s.run()
	return s.pieces
}

func (s *splitter) run() {
	for i := 0; i < len(s.lines); {
		i = s.take(i)
	}
	s.sign()
	s.show()
}

func newSplitter(lines []line) *splitter {
	next := make([]int, len(lines)+1)
	next[len(lines)] = len(lines)
	for i := len(lines) - 1; i >= 0; i-- {
		lines[i].field, lines[i].value = label(lines[i].body)
		next[i] = i
		if lines[i].blank() {
			next[i] = next[i+1]
		}
	}
	return &splitter{lines: lines, next: next}
}

// take adds the piece that begins at a line, and returns the line after it.
func (s *splitter) take(i int) int {
	l := &s.lines[i]
	s.steps++
	switch {
	case l.blank() || l.fenced:
		return s.add(Written, false, i, i+1)
	case l.sign:
		return s.add(Signature, false, i, i+1)
	case l.quoted:
		return s.quotation(i, i, l.sure)
	case isForwardLine(l.raw):
		return s.add(Quoted, s.written <= littleWritten, i, len(s.lines))
	}
	if end, is := s.original(i); is {
		return s.mail(i, end)
	}
	if end, strong := s.introduction(i); end > i {
		return s.introduced(i, end, strong)
	}
	return s.add(Written, false, i, i+1)
}

// mail adds a quoted mail with its header. It extends to the end, unless its lines are marked: answers may follow then.
func (s *splitter) mail(from, end int) int {
	if first := s.next[end]; first < len(s.lines) && s.lines[first].quoted {
		return s.quotation(from, first, true)
	}
	return s.add(Quoted, false, from, len(s.lines))
}

// introduced adds what follows a line such as "On Monday, Ada wrote:".
func (s *splitter) introduced(from, end int, strong bool) int {
	first := s.next[end]
	switch {
	case first < len(s.lines) && (s.lines[first].quoted || s.lines[first].soft):
		return s.quotation(from, first, true)
	case !strong:
		return s.add(Written, false, from, from+1)
	case s.written == 0:
		return s.add(Quoted, false, from, end) // the quotation was removed, or can't be told from what was written
	}
	return s.add(Quoted, false, from, len(s.lines))
}

// quotation adds the marked lines from first on, with what introduces them.
func (s *splitter) quotation(from, first int, introduced bool) int {
	i, count := first, 0
	for i < len(s.lines) && s.lines[i].in(introduced) {
		count++
		s.steps++
		i++
		if n := s.next[i]; n < len(s.lines) && s.lines[n].in(introduced) {
			i = n
		}
	}
	forwarded := isForwardLine(s.lines[first].body)
	shown := !introduced && !s.introducedWithin(first) && count <= shortQuote
	return s.add(Quoted, shown || forwarded && s.written <= littleWritten, from, i)
}

func (l *line) in(introduced bool) bool { return l.quoted || introduced && l.soft && !l.fenced }

// add appends lines to the pieces and returns the line after them.
func (s *splitter) add(k Kind, inline bool, from, to int) int {
	blank := s.next[from] >= to
	if k == Written && !blank {
		s.written += len(s.lines[from].raw)
	}
	if last := len(s.pieces) - 1; last >= 0 && s.pieces[last].kind == k && s.pieces[last].inline == inline {
		s.pieces[last].to = to
		s.pieces[last].blank = s.pieces[last].blank && blank
		return to
	}
	s.pieces = append(s.pieces, piece{from: from, to: to, kind: k, inline: inline, blank: blank})
	return to
}

// sign separates signatures: at the end, and above the last quotation.
func (s *splitter) sign() {
	var reversed []piece
	open := true
	for i := len(s.pieces) - 1; i >= 0; i-- {
		p := s.pieces[i]
		if open && p.kind == Written && !p.blank {
			start := s.signature(p)
			if start < p.to {
				reversed = append(reversed, piece{from: start, to: p.to, kind: Signature})
			}
			p.to = start
			p.blank = s.next[p.from] >= start
			open = p.blank
		}
		if p.from < p.to {
			reversed = append(reversed, p)
		}
	}
	s.pieces = s.pieces[:0]
	for i := len(reversed) - 1; i >= 0; i-- {
		s.pieces = append(s.pieces, reversed[i])
	}
}

// show makes visible the quotations that are answered below them, those of a mail that forwards another one, and everything where nothing else would be.
func (s *splitter) show() {
	answered, visible := false, false
	for i := len(s.pieces) - 1; i >= 0; i-- {
		p := &s.pieces[i]
		switch {
		case p.kind == Written:
			answered = answered || !p.blank
		case p.kind == Quoted && (answered || s.options.Forward):
			p.inline = true
		}
		visible = visible || !p.blank && (p.kind == Written || p.inline)
	}
	for i := range s.pieces {
		if p := &s.pieces[i]; !visible && p.kind != Written {
			p.inline = true
		}
	}
}

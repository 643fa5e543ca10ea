package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// MergeHolidays adds holidays to a document and leaves the rest of it as written. A day that is a holiday already keeps
// its name. It returns the document and the days that were added. The error is Problems if the document is invalid, or
// an Invalid fault if it cannot be edited.
func MergeHolidays(document []byte, more []Holiday) (merged []byte, added []Holiday, err error) {
	p, err := Parse(document)
	if err != nil {
		return nil, nil, err
	}
	all := p.Calendar.Holidays()
	for _, h := range more {
		if !slices.ContainsFunc(all, func(had Holiday) bool { return had.Date.Equal(h.Date) }) {
			all, added = append(all, h), append(added, h)
		}
	}
	if len(added) == 0 {
		return document, nil, nil
	}
	slices.SortFunc(all, func(a, b Holiday) int { return a.Date.Compare(b.Date) })
	merged, err = withHolidays(document, all)
	if err != nil {
		return nil, nil, err
	}
	after, err := Parse(merged)
	if err != nil || !slices.Equal(after.Calendar.holidays, all) {
		return nil, nil, fault.New(fault.Invalid, "the holidays can't be added to this document; put each of its keys at the start of a line")
	}
	return merged, added, nil
}

// withHolidays replaces the lines of the holidays key, or appends them.
func withHolidays(document []byte, all []Holiday) ([]byte, error) {
	root, problems := load(document)
	if len(problems) > 0 {
		return nil, problems
	}
	lines := bytes.SplitAfter(document, []byte("\n"))
	from, to := len(lines), len(lines)
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "holidays" {
			continue
		}
		from = root.Content[i].Line - 1
		if i+2 < len(root.Content) {
			to = root.Content[i+2].Line - 1
		}
		to = max(trimTrailing(lines, from+1, to), lastLine(root.Content[i+1]))
	}
	var out bytes.Buffer
	out.Write(bytes.Join(lines[:from], nil))
	if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	out.WriteString(HolidaysYAML(all))
	out.Write(bytes.Join(lines[to:], nil))
	return out.Bytes(), nil
}

// trimTrailing returns the end of a range of lines without trailing comments and blank lines, which belong to what
// follows.
func trimTrailing(lines [][]byte, from, to int) int {
	for to > from {
		text := bytes.TrimSpace(lines[to-1])
		if len(text) > 0 && text[0] != '#' {
			break
		}
		to--
	}
	return to
}

// lastLine returns the last line on which a node or a descendant starts.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// HolidaysYAML formats holidays, in ascending order, for a document; consecutive days with the same name are combined.
func HolidaysYAML(holidays []Holiday) string {
	var out strings.Builder
	out.WriteString("holidays:\n")
	for i := 0; i < len(holidays); {
		last := i
		for last+1 < len(holidays) && holidays[last+1].Name == holidays[i].Name && holidays[last+1].Date.Sub(holidays[last].Date) == day {
			last++
		}
		fmt.Fprintf(&out, "  - {date: %s", holidays[i].Date.Format(time.DateOnly))
		if last > i {
			fmt.Fprintf(&out, ", until: %s", holidays[last].Date.Format(time.DateOnly))
		}
		if holidays[i].Name != "" {
			fmt.Fprintf(&out, ", name: %s", strconv.Quote(holidays[i].Name))
		}
		out.WriteString("}\n")
		i = last + 1
	}
	return out.String()
}

package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Problem is an error in a policy document, described for its author.
type Problem struct {
	Line    int    // counted from 1
	Column  int    // counted from 1; 0 if unknown
	Path    string // such as "hours.monday[0]"; empty for the document as a whole
	Message string
}

// String returns the problem on one line, starting with its position.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Message)
	}
	return fmt.Sprintf("line %d: %s: %s", p.Line, p.Path, p.Message)
}

// Problems are all errors in a document, ordered by line. As a fault they are Invalid, with a detail for each.
type Problems []Problem

// Error returns one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems as a fault.
func (ps Problems) Unwrap() error {
	details := make([]fault.Detail, len(ps))
	for i, p := range ps {
		details[i] = fault.Detail{Field: p.Path, Message: fmt.Sprintf("line %d: %s", p.Line, p.Message)}
	}
	f := fault.Fields(details...)
	f.Message = "the policy is not valid"
	return f
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}

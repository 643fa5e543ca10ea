package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxDocument is the maximum size of a policy document, in bytes.
const maxDocument = 256 << 10

// load parses a policy document into a tree with line numbers. Aliases, anchors and tags are rejected, so that the tree
// of a small document is small.
func load(document []byte) (*yaml.Node, Problems) {
	if problem, bad := checkText(document); bad {
		return nil, Problems{problem}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(document))
	if err != nil {
		return nil, Problems{{Line: 1, Message: err.Error()}}
	}
	var root, second yaml.Node
	switch err := loader.Load(&root); {
	case errors.Is(err, io.EOF):
		return nil, Problems{{Line: 1, Message: "the document is empty"}}
	case err != nil:
		return nil, Problems{syntaxProblem(err)}
	}
	switch err := loader.Load(&second); {
	case err == nil:
		return nil, Problems{{Line: max(1, second.Line), Column: second.Column, Message: "a policy is one YAML document; a second one starts here"}}
	case !errors.Is(err, io.EOF):
		return nil, Problems{syntaxProblem(err)}
	}
	var problems Problems
	rejectIndirection(&root, &problems)
	if len(problems) > 0 {
		return nil, problems
	}
	return root.Content[0], nil
}

// checkText checks size, encoding and characters before YAML is parsed.
func checkText(document []byte) (Problem, bool) {
	if len(document) > maxDocument {
		return Problem{Line: 1, Message: fmt.Sprintf("the document is over %d KiB", maxDocument>>10)}, true
	}
	line := 1
	for i := 0; i < len(document); {
		r, size := utf8.DecodeRune(document[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return Problem{Line: line, Message: "the document is not UTF-8"}, true
		case r == '\n':
			line++
		case r != '\t' && r != '\r' && unicode.IsControl(r):
			return Problem{Line: line, Message: fmt.Sprintf("the control character %U is not allowed", r)}, true
		}
		i += size
	}
	return Problem{}, false
}

func syntaxProblem(err error) Problem {
	problem := Problem{Line: 1, Message: "not YAML: " + err.Error()}
	if at, ok := errors.AsType[*yaml.LoadError](err); ok {
		problem.Line, problem.Column = max(1, at.Mark.Line), at.Mark.Column
		problem.Message = "not YAML: " + at.Message
		if at.ContextMsg != "" {
			problem.Message += " " + at.ContextMsg
		}
	}
	return problem
}

func rejectIndirection(n *yaml.Node, problems *Problems) {
	errorf := func(what string) {
		*problems = append(*problems, Problem{Line: n.Line, Column: n.Column, Message: what + " not allowed in a policy"})
	}
	if n.Kind == yaml.AliasNode {
		errorf("an alias (*" + n.Value + ") is")
		return
	}
	if n.Anchor != "" {
		errorf("an anchor (&" + n.Anchor + ") is")
	}
	if n.Style&yaml.TaggedStyle != 0 {
		errorf("a tag (" + n.Tag + ") is")
	}
	for _, child := range n.Content {
		rejectIndirection(child, problems)
	}
}

// reader reads the tree and collects problems.
type reader struct{ problems Problems }

func (r *reader) errorf(n *yaml.Node, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{Line: n.Line, Column: n.Column, Path: path, Message: fmt.Sprintf(format, args...)})
}

// field is a key of a mapping and the function that reads its value.
type field struct {
	key      string
	required bool
	read     func(n *yaml.Node, path string)
}

// mapping reads a mapping with the given keys, in document order.
func (r *reader) mapping(n *yaml.Node, path string, fields ...field) {
	if n.Kind != yaml.MappingNode {
		r.errorf(n, path, "must be a mapping with the keys %s", keys(fields))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := slices.IndexFunc(fields, func(f field) bool { return key.Kind == yaml.ScalarNode && f.key == key.Value })
		below := join(path, key.Value)
		switch line, again := seen[key.Value]; {
		case at < 0:
			r.errorf(key, path, "unknown key %.40q; the keys are %s", key.Value, keys(fields))
		case again:
			r.errorf(key, below, "duplicate key, first defined on line %d", line)
		case value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null":
			r.errorf(value, below, "has no value; omit the key or add a value")
			seen[key.Value] = key.Line
		default:
			seen[key.Value] = key.Line
			fields[at].read(value, below)
		}
	}
	for _, f := range fields {
		if _, there := seen[f.key]; f.required && !there {
			r.errorf(n, join(path, f.key), "is missing")
		}
	}
}

// list reads a list of at most limit elements.
func (r *reader) list(n *yaml.Node, path string, limit int, read func(n *yaml.Node, path string)) {
	if n.Kind != yaml.SequenceNode {
		r.errorf(n, path, "must be a list, such as [a, b]")
		return
	}
	if len(n.Content) > limit {
		r.errorf(n, path, "has more than %d elements", limit)
		return
	}
	for i, element := range n.Content {
		read(element, fmt.Sprintf("%s[%d]", path, i))
	}
}

// scalar returns the text of a plain or quoted value, whatever type YAML resolves it to: 72, 75% and 2026-12-25 alike.
func (r *reader) scalar(n *yaml.Node, path, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		r.errorf(n, path, "must be %s", want)
		return "", false
	}
	return n.Value, true
}

// text reads a line of at most limit printable characters.
func (r *reader) text(n *yaml.Node, path string, limit int) (string, bool) {
	value, ok := r.scalar(n, path, "text")
	switch {
	case !ok:
		return "", false
	case n.ShortTag() != "!!str":
		r.errorf(n, path, "must be text; quote %.40q to make it text", value)
	case strings.TrimSpace(value) == "":
		r.errorf(n, path, "is blank")
	case utf8.RuneCountInString(value) > limit:
		r.errorf(n, path, "is over %d characters long", limit)
	case strings.ContainsFunc(value, func(c rune) bool { return !unicode.IsPrint(c) }):
		r.errorf(n, path, "must be one line of printable characters")
	default:
		return strings.TrimSpace(value), true
	}
	return "", false
}

func (r *reader) boolean(n *yaml.Node, path string) bool {
	value, ok := r.scalar(n, path, "true or false")
	if ok && value != "true" && value != "false" || ok && n.ShortTag() != "!!bool" {
		r.errorf(n, path, "must be true or false, not %.40q", value)
	}
	return value == "true"
}

// oneOf reads one of a set of words.
func oneOf[T ~string](r *reader, n *yaml.Node, path string, words []T) (T, bool) {
	value, ok := r.scalar(n, path, "one of "+joinWords(words))
	if ok && !slices.Contains(words, T(value)) {
		r.errorf(n, path, "%.40q is not one of %s", value, joinWords(words))
		ok = false
	}
	return T(value), ok
}

// listOf reads a list of distinct words from a set.
func listOf[T ~string](r *reader, n *yaml.Node, path string, words []T) []T {
	var some []T
	r.list(n, path, 100, func(n *yaml.Node, path string) {
		word, ok := oneOf(r, n, path, words)
		switch {
		case ok && slices.Contains(some, word):
			r.errorf(n, path, "%q is listed twice", word)
		case ok:
			some = append(some, word)
		}
	})
	return some
}

func joinWords[T ~string](words []T) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return strings.Join(all, ", ")
}

func keys(fields []field) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.key
	}
	return strings.Join(all, ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

package policy

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (p *parser) escalation(n *yaml.Node, path string) {
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		var rung Rung
		var after *yaml.Node
		p.mapping(n, path,
			field{key: "after", required: true, read: func(n *yaml.Node, path string) {
				after, rung.After = n, p.duration(n, path)
			}},
			field{key: "clocks", read: func(n *yaml.Node, path string) { rung.Clocks = limit(p, n, path, ClockNames()) }},
			field{key: "priorities", read: func(n *yaml.Node, path string) { rung.Priorities = limit(p, n, path, Priorities()) }},
			field{key: "tell", required: true, read: func(n *yaml.Node, path string) { p.tell(n, path, &rung) }},
			field{key: "raise_priority", read: func(n *yaml.Node, path string) { rung.RaisePriority = p.boolean(n, path) }},
		)
		for _, before := range slices.Backward(p.policy.Escalation) {
			if after != nil && rung.overlaps(before) && rung.After <= before.After {
				p.refuse(after, join(path, "after"), "must be longer than the rung before it (%s)", FormatDuration(before.After))
				break
			}
		}
		p.policy.Escalation = append(p.policy.Escalation, rung)
	})
}

// limit reads a list of words that a rung is limited to. An empty one would be a rung for nothing.
func limit[T ~string](p *parser, n *yaml.Node, path string, words []T) []T {
	some := someOf(&p.reader, n, path, words)
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.refuse(n, path, "names none; leave the key out for all of them")
	}
	return some
}

// tell reads whom a rung tells: words for audiences, {person: HANDLE} and {webhook: NAME}.
func (p *parser) tell(n *yaml.Node, path string, rung *Rung) {
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		if n.Kind == yaml.MappingNode {
			p.named(n, path, rung)
			return
		}
		audience, ok := oneOf(&p.reader, n, path, Audiences())
		switch {
		case ok && slices.Contains(rung.Tell, audience):
			p.refuse(n, path, "%q is in the list already", audience)
		case ok:
			rung.Tell = append(rung.Tell, audience)
		}
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.refuse(n, path, "names nobody")
	}
}

// named reads a person or a webhook that a rung tells.
func (p *parser) named(n *yaml.Node, path string, rung *Rung) {
	if len(n.Content) != 2 {
		p.refuse(n, path, "must be {person: HANDLE} or {webhook: NAME}")
		return
	}
	read := func(names *[]string, shape *regexp.Regexp, want string) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) {
			// A handle of digits is a handle too.
			name, ok := p.scalar(n, path, want)
			switch {
			case !ok:
			case !shape.MatchString(name):
				p.refuse(n, path, "%.40q is not %s", name, want)
			case slices.ContainsFunc(*names, func(other string) bool { return strings.EqualFold(other, name) }):
				p.refuse(n, path, "%q is in the list already", name)
			default:
				*names = append(*names, name)
			}
		}
	}
	p.mapping(n, path,
		field{key: "person", read: read(&rung.People, handleName, "a handle: letters, digits and hyphens, 40 at most")},
		field{key: "webhook", read: read(&rung.Webhooks, webhookName, "a webhook's name: small letters, digits and hyphens, 40 at most, a letter first")},
	)
}

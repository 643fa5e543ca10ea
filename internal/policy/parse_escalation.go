package policy

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (p *parser) escalation(n *yaml.Node, path string) {
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		var step EscalationStep
		var after *yaml.Node
		p.mapping(n, path,
			field{key: "after", required: true, read: func(n *yaml.Node, path string) {
				after, step.After = n, p.duration(n, path)
			}},
			field{key: "clocks", read: func(n *yaml.Node, path string) { step.Clocks = scope(p, n, path, ClockNames()) }},
			field{key: "priorities", read: func(n *yaml.Node, path string) { step.Priorities = scope(p, n, path, Priorities()) }},
			field{key: "tell", required: true, read: func(n *yaml.Node, path string) { p.recipients(n, path, &step) }},
			field{key: "raise_priority", read: func(n *yaml.Node, path string) { step.RaisePriority = p.boolean(n, path) }},
		)
		for _, before := range slices.Backward(p.policy.Escalation) {
			if after != nil && step.overlaps(before) && step.After <= before.After {
				p.errorf(after, join(path, "after"), "must be longer than in the previous step (%s)", FormatDuration(before.After))
				break
			}
		}
		p.policy.Escalation = append(p.policy.Escalation, step)
	})
}

// scope reads the words that a step is limited to. An empty list is rejected, because such a step would never apply.
func scope[T ~string](p *parser, n *yaml.Node, path string, words []T) []T {
	some := listOf(&p.reader, n, path, words)
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.errorf(n, path, "must not be empty; omit the key to include all")
	}
	return some
}

// recipients reads whom a step notifies: audiences, {person: HANDLE} and {webhook: NAME}.
func (p *parser) recipients(n *yaml.Node, path string, step *EscalationStep) {
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		if n.Kind == yaml.MappingNode {
			p.namedRecipient(n, path, step)
			return
		}
		audience, ok := oneOf(&p.reader, n, path, Audiences())
		switch {
		case ok && slices.Contains(step.Notify, audience):
			p.errorf(n, path, "%q is listed twice", audience)
		case ok:
			step.Notify = append(step.Notify, audience)
		}
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.errorf(n, path, "must not be empty")
	}
}

// namedRecipient reads a person or a webhook.
func (p *parser) namedRecipient(n *yaml.Node, path string, step *EscalationStep) {
	if len(n.Content) != 2 {
		p.errorf(n, path, "must be {person: HANDLE} or {webhook: NAME}")
		return
	}
	read := func(names *[]string, shape *regexp.Regexp, want string) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) {
			// A handle may consist of digits.
			name, ok := p.scalar(n, path, want)
			switch {
			case !ok:
			case !shape.MatchString(name):
				p.errorf(n, path, "%.40q is not %s", name, want)
			case slices.ContainsFunc(*names, func(other string) bool { return strings.EqualFold(other, name) }):
				p.errorf(n, path, "%q is listed twice", name)
			default:
				*names = append(*names, name)
			}
		}
	}
	p.mapping(n, path,
		field{key: "person", read: read(&step.People, handleName, "a valid handle: at most 40 letters, digits and hyphens")},
		field{key: "webhook", read: read(&step.Webhooks, webhookName, "a valid webhook name: at most 40 lower-case letters, digits and hyphens, starting with a letter")},
	)
}

package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Assignment is a rule that gives a ticket to one of a group's members by itself.
type Assignment struct {
	Categories []string // that it is for; empty: all
	Group      string   // its handle, or Everyone
	By         Distribution
	// ReassignOnBreach is the clocks whose breach gives the ticket to another member of the group.
	ReassignOnBreach []ClockName
}

// Everyone is the group that is always there: every agent. No other group can have its handle.
const Everyone = "everyone"

// Distribution is how a rule chooses among those who are there.
type Distribution string

// The distributions.
const (
	ByRoundRobin  Distribution = "round_robin"  // whoever was chosen the longest time ago
	ByLeastLoaded Distribution = "least_loaded" // whoever has the fewest open tickets; among equals, as in round robin
)

// Distributions lists every distribution.
func Distributions() []Distribution { return []Distribution{ByRoundRobin, ByLeastLoaded} }

var groupHandle = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// ValidGroup reports whether text has the shape of a group's handle: 1 to 40 small letters, digits and hyphens, a
// letter first.
func ValidGroup(text string) bool { return groupHandle.MatchString(text) }

// AssignmentFor gives the first rule for a category and its number, from 1. The number is 0 when no rule is for it.
func (p *Policy) AssignmentFor(category string) (Assignment, int) {
	for i, rule := range p.Assignment {
		if rule.covers(category) {
			return rule, i + 1
		}
	}
	return Assignment{}, 0
}

func (a Assignment) covers(category string) bool {
	return len(a.Categories) == 0 || slices.Contains(a.Categories, category)
}

// maxAssignments bounds the rules of a document.
const maxAssignments = 100

func (p *parser) assignment(n *yaml.Node, path string) {
	p.list(n, path, maxAssignments, func(n *yaml.Node, path string) {
		var rule Assignment
		p.mapping(n, path,
			field{key: "categories", read: func(n *yaml.Node, path string) { rule.Categories = p.assigned(n, path) }},
			field{key: "group", required: true, read: func(n *yaml.Node, path string) {
				group, ok := p.text(n, path, 40)
				if ok && !ValidGroup(group) {
					p.refuse(n, path, "%q is not a group's handle: small letters, digits and -, a letter first", group)
				}
				rule.Group = group
			}},
			field{key: "by", required: true, read: func(n *yaml.Node, path string) {
				rule.By, _ = oneOf(&p.reader, n, path, Distributions())
			}},
			field{key: "reassign_on_breach", read: func(n *yaml.Node, path string) {
				rule.ReassignOnBreach = someOf(&p.reader, n, path, ClockNames())
			}},
		)
		p.policy.Assignment = append(p.policy.Assignment, rule)
	})
}

// assigned reads a rule's categories. Whether the policy has them is judged at the end: its own may stand below.
func (p *parser) assigned(n *yaml.Node, path string) []string {
	var names []string
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		name, ok := p.text(n, path, 40)
		switch {
		case !ok:
		case slices.Contains(names, name):
			p.refuse(n, path, "%q is in the list already", name)
		default:
			names = append(names, name)
			p.ruled = append(p.ruled, namedCategory{n, path, name})
		}
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.refuse(n, path, "names no category; leave the key out for all of them")
	}
	return names
}

// namedCategory is a category that a rule names, and where.
type namedCategory struct {
	node *yaml.Node
	path string
	name string
}

// checkCategories refuses rules for categories that the policy does not have.
func (p *parser) checkCategories() {
	for _, c := range p.ruled {
		if !slices.Contains(p.policy.Categories, c.name) {
			p.refuse(c.node, c.path, "%q is none of the policy's categories: %s", c.name, strings.Join(p.policy.Categories, ", "))
		}
	}
}

// idleRules finds rules that no ticket ever comes to, and categories that none is for.
func (p *Policy) idleRules() []string {
	if len(p.Assignment) == 0 {
		return nil
	}
	var warnings, without []string
	used := map[int]bool{}
	for _, category := range p.Categories {
		_, number := p.AssignmentFor(category)
		used[number] = true
		if number == 0 {
			without = append(without, category)
		}
	}
	for i := range p.Assignment {
		if !used[i+1] {
			warnings = append(warnings, fmt.Sprintf("No ticket ever comes to assignment[%d]: the rules before it have all of its categories.", i))
		}
	}
	if len(without) > 0 {
		warnings = append(warnings, "No assignment rule is for "+enumerate(without)+": such tickets wait until somebody takes them.")
	}
	return warnings
}

// summary is a rule on one line of a check.
func (a Assignment) summary() string {
	text := "all categories"
	if len(a.Categories) > 0 {
		text = strings.Join(a.Categories, ", ")
	}
	text += fmt.Sprintf(": to the group %s, by %s", a.Group, a.By)
	if len(a.ReassignOnBreach) > 0 {
		text += ", to another on a breach of " + joinWords(a.ReassignOnBreach)
	}
	return text
}

var distributionInWords = map[Distribution]string{
	ByRoundRobin:  "in turn",
	ByLeastLoaded: "to whoever has the fewest open tickets",
}

var breachInWords = map[ClockName]string{FirstResponse: "the first answer is late", Resolution: "the resolution is late"}

// AssignmentsInWords tells each rule in a sentence or two, in their order. Every one but the first is for what those before it leave.
func (p *Policy) AssignmentsInWords() []string {
	var lines []string
	for i, rule := range p.Assignment {
		lines = append(lines, rule.inWords(i == 0))
	}
	return lines
}

func (a Assignment) inWords(first bool) string {
	about := "Every other ticket"
	if first {
		about = "Every ticket"
	}
	if len(a.Categories) > 0 {
		about += " about " + alternatives(a.Categories)
	}
	to := "the group " + a.Group
	if a.Group == Everyone {
		to = "our agents"
	}
	line := fmt.Sprintf("%s goes to %s, %s.", about, to, distributionInWords[a.By])
	var late []string
	for _, clock := range a.ReassignOnBreach {
		late = append(late, breachInWords[clock])
	}
	if len(late) > 0 {
		line += " If " + strings.Join(late, ", or ") + ", another agent gets it."
	}
	return line
}

func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

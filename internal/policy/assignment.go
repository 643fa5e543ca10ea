package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Assignment is a rule that assigns tickets automatically to a member of a group.
type Assignment struct {
	Categories []string // categories that it applies to; empty: all
	Group      string   // handle of a group, or Everyone
	By         Distribution
	// ReassignOnBreach lists the clocks whose breach reassigns the ticket to another member.
	ReassignOnBreach []ClockName
}

// Everyone is the built-in group of all agents. Its handle is reserved.
const Everyone = "everyone"

// Distribution is how a rule chooses among the available members.
type Distribution string

// The distributions.
const (
	ByRoundRobin  Distribution = "round_robin"  // the member whose last assignment is the longest ago
	ByLeastLoaded Distribution = "least_loaded" // the member with the fewest open tickets; ties as in round robin
)

// Distributions returns all distributions.
func Distributions() []Distribution { return []Distribution{ByRoundRobin, ByLeastLoaded} }

var groupHandle = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// ValidGroup reports whether text is a valid group handle: 1 to 40 lower-case letters, digits and hyphens, starting
// with a letter.
func ValidGroup(text string) bool { return groupHandle.MatchString(text) }

// AssignmentFor returns the first rule that applies to a category and its number, counted from 1; the number is 0 if no
// rule applies.
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
			field{key: "categories", read: func(n *yaml.Node, path string) { rule.Categories = p.readCategories(n, path) }},
			field{key: "group", required: true, read: func(n *yaml.Node, path string) {
				group, ok := p.text(n, path, 40)
				if ok && !ValidGroup(group) {
					p.errorf(n, path, "%q is not a valid group handle: use lower-case letters, digits and -, starting with a letter", group)
				}
				rule.Group = group
			}},
			field{key: "by", required: true, read: func(n *yaml.Node, path string) {
				rule.By, _ = oneOf(&p.reader, n, path, Distributions())
			}},
			field{key: "reassign_on_breach", read: func(n *yaml.Node, path string) {
				rule.ReassignOnBreach = listOf(&p.reader, n, path, ClockNames())
			}},
		)
		p.policy.Assignment = append(p.policy.Assignment, rule)
	})
}

// readCategories reads the categories of a rule. They are checked at the end, because the policy may define its own
// further down.
func (p *parser) readCategories(n *yaml.Node, path string) []string {
	var names []string
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		name, ok := p.text(n, path, 40)
		switch {
		case !ok:
		case slices.Contains(names, name):
			p.errorf(n, path, "%q is listed twice", name)
		default:
			names = append(names, name)
			p.categoryRefs = append(p.categoryRefs, categoryRef{n, path, name})
		}
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.errorf(n, path, "must not be empty; omit the key to include all categories")
	}
	return names
}

// categoryRef is a category named by a rule, and its position.
type categoryRef struct {
	node *yaml.Node
	path string
	name string
}

// checkCategories reports categories in rules that the policy does not have.
func (p *parser) checkCategories() {
	for _, c := range p.categoryRefs {
		if !slices.Contains(p.policy.Categories, c.name) {
			p.errorf(c.node, c.path, "%q is not a category of this policy: %s", c.name, strings.Join(p.policy.Categories, ", "))
		}
	}
}

// unusedRules warns of rules that can never apply, and of categories without a rule.
func (p *Policy) unusedRules() []string {
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
			warnings = append(warnings, fmt.Sprintf("assignment[%d] never applies: earlier rules cover all of its categories.", i))
		}
	}
	if len(without) > 0 {
		warnings = append(warnings, "No assignment rule applies to "+enumerate(without)+": such tickets stay unassigned until an agent takes them.")
	}
	return warnings
}

// summary returns the rule's line for WriteCheck.
func (a Assignment) summary() string {
	text := "all categories"
	if len(a.Categories) > 0 {
		text = strings.Join(a.Categories, ", ")
	}
	text += fmt.Sprintf(": to the group %s, by %s", a.Group, a.By)
	if len(a.ReassignOnBreach) > 0 {
		text += ", reassigned on a breach of " + joinWords(a.ReassignOnBreach)
	}
	return text
}

var distributionText = map[Distribution]string{
	ByRoundRobin:  "in turn",
	ByLeastLoaded: "to the agent with the fewest open tickets",
}

var overdueText = map[ClockName]string{FirstResponse: "the first response is overdue", Resolution: "the resolution is overdue"}

// DescribeAssignment describes each rule, in order. Each applies to the tickets that earlier rules leave.
func (p *Policy) DescribeAssignment() []string {
	var lines []string
	for i, rule := range p.Assignment {
		lines = append(lines, rule.describe(i == 0))
	}
	return lines
}

func (a Assignment) describe(first bool) string {
	about := "All other tickets"
	if first {
		about = "All tickets"
	}
	if len(a.Categories) > 0 {
		about += " about " + alternatives(a.Categories)
	}
	to := "the group " + a.Group
	if a.Group == Everyone {
		to = "our agents"
	}
	line := fmt.Sprintf("%s are assigned to %s, %s.", about, to, distributionText[a.By])
	var late []string
	for _, clock := range a.ReassignOnBreach {
		late = append(late, overdueText[clock])
	}
	if len(late) > 0 {
		line += " If " + strings.Join(late, ", or ") + ", they are reassigned to another agent."
	}
	return line
}

func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

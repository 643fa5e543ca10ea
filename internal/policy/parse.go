package policy

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxDuration bounds durations in a document: ten years.
const maxDuration = 3660 * day

// Defaults of a policy.
const defaultName = "Customer Support Policy"

var defaultCategories = []string{"general", "order", "delivery", "payment", "returns", "account"}

// parser builds a policy.
type parser struct {
	reader
	policy       *Policy
	hours        [daysPerWeek][]span
	closed       []Holiday
	categoryRefs []categoryRef
	clocks       map[ClockName]*yaml.Node // nodes of the clocks, for checks at the end
}

// Parse parses a policy document in YAML. The error is Problems, with all problems ordered by line; as a fault it is
// Invalid. Unknown keys are errors.
func Parse(document []byte) (*Policy, error) {
	root, problems := load(document)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	p := &parser{
		policy: &Policy{
			Name: defaultName, Clocks: map[ClockName]Rule{},
			Priorities: map[Priority]map[ClockName]time.Duration{}, Categories: slices.Clone(defaultCategories),
		},
		clocks: map[ClockName]*yaml.Node{},
	}
	p.document(root)
	p.checkReach()
	p.checkCategories()
	if len(p.problems) > 0 {
		return nil, p.problems.sorted()
	}
	p.policy.Calendar = newCalendar(p.policy.Zone, p.hours, p.closed)
	return p.policy, nil
}

func (p *parser) document(root *yaml.Node) {
	p.mapping(root, "",
		field{key: "name", read: func(n *yaml.Node, path string) {
			if name, ok := p.text(n, path, 200); ok {
				p.policy.Name = name
			}
		}},
		field{key: "contact", read: p.contact},
		field{key: "privacy_url", read: p.privacyURL},
		field{key: "time_zone", required: true, read: p.zone},
		field{key: "hours", read: p.week},
		field{key: "holidays", read: p.holidays},
		field{key: "clocks", required: true, read: p.rules},
		field{key: "priorities", read: p.priorities},
		field{key: "customers_choose_priority", read: func(n *yaml.Node, path string) {
			p.policy.CustomersChoosePriority = p.boolean(n, path)
		}},
		field{key: "silence", read: p.silence},
		field{key: "escalation", read: p.escalation},
		field{key: "categories", read: p.categories},
		field{key: "assignment", read: p.assignment},
	)
}

func (p *parser) contact(n *yaml.Node, path string) {
	text, ok := p.text(n, path, 254)
	if !ok {
		return
	}
	if address, err := mail.ParseAddress(text); err != nil || address.Address != text {
		p.errorf(n, path, "%.80q is not an email address such as support@example.com", text)
	}
	p.policy.Contact = text
}

func (p *parser) privacyURL(n *yaml.Node, path string) {
	text, ok := p.text(n, path, 2000)
	if !ok {
		return
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		p.errorf(n, path, "%.80q is not a URL such as https://example.com/privacy", text)
	}
	p.policy.PrivacyURL = text
}

func (p *parser) zone(n *yaml.Node, path string) {
	name, ok := p.text(n, path, 100)
	if !ok {
		return
	}
	// Local and localtime depend on the host, and zones under right/ count leap seconds.
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" || name == "localtime" || name == "posixrules" || strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix/") {
		p.errorf(n, path, "%q is not a time zone; use a name from the IANA database, such as Europe/Berlin or UTC", name)
		return
	}
	p.policy.Zone = zone
}

func (p *parser) rules(n *yaml.Node, path string) {
	var fields []field
	for _, clock := range ClockNames() {
		fields = append(fields, field{key: string(clock), required: true, read: func(n *yaml.Node, path string) {
			p.clocks[clock] = n
			p.policy.Clocks[clock] = p.rule(n, path)
		}})
	}
	p.mapping(n, path, fields...)
}

func (p *parser) rule(n *yaml.Node, path string) Rule {
	var rule Rule
	p.mapping(n, path,
		field{key: "target", required: true, read: func(n *yaml.Node, path string) { rule.Target = p.positive(n, path) }},
		field{key: "counts", required: true, read: func(n *yaml.Node, path string) {
			rule.Counts, _ = oneOf(&p.reader, n, path, CountingModes())
		}},
		field{key: "remind_at", read: func(n *yaml.Node, path string) { rule.RemindAt = p.percent(n, path) }},
		field{key: "pauses", read: func(n *yaml.Node, path string) {
			rule.Pauses = listOf(&p.reader, n, path, []Reason{ReasonWaiting, ReasonResolved})
		}},
	)
	return rule
}

func (p *parser) priorities(n *yaml.Node, path string) {
	var levels []field
	for _, priority := range Priorities() {
		levels = append(levels, field{key: string(priority), read: func(n *yaml.Node, path string) {
			targets := map[ClockName]time.Duration{}
			var fields []field
			for _, clock := range ClockNames() {
				fields = append(fields, field{key: string(clock), read: func(n *yaml.Node, path string) {
					targets[clock] = p.positive(n, path)
				}})
			}
			p.mapping(n, path, fields...)
			p.policy.Priorities[priority] = targets
		}})
	}
	p.mapping(n, path, levels...)
}

func (p *parser) silence(n *yaml.Node, path string) {
	s := &p.policy.Silence
	into := func(d *time.Duration) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) { *d = p.duration(n, path) }
	}
	var resolve *yaml.Node
	p.mapping(n, path,
		field{key: "nudge_after", read: into(&s.NudgeAfter)},
		field{key: "resolve_after", read: func(n *yaml.Node, path string) {
			resolve = n
			s.ResolveAfter = p.duration(n, path)
		}},
		field{key: "close_after", read: into(&s.CloseAfter)},
	)
	if resolve != nil && s.ResolveAfter > 0 && s.ResolveAfter <= s.NudgeAfter {
		p.errorf(resolve, join(path, "resolve_after"), "must be longer than nudge_after (%s), so that the requester is reminded first", FormatDuration(s.NudgeAfter))
	}
}

var categoryName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

func (p *parser) categories(n *yaml.Node, path string) {
	var names []string
	p.list(n, path, 100, func(n *yaml.Node, path string) {
		name, ok := p.text(n, path, 40)
		switch {
		case !ok:
		case !categoryName.MatchString(name):
			p.errorf(n, path, "%q must consist of lower-case letters, digits, - and _", name)
		case slices.Contains(names, name):
			p.errorf(n, path, "%q is listed twice", name)
		default:
			names = append(names, name)
		}
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.errorf(n, path, "must not be empty; omit the key to use the default categories")
	}
	p.policy.Categories = names
}

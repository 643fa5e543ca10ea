package policy

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// Public is the policy as whoever is promised something reads it: people and webhooks that it names are counted, and
// not told. What it promises is the same.
func (p *Policy) Public() *Policy {
	public := *p
	public.Escalation = slices.Clone(p.Escalation)
	for i, rung := range public.Escalation {
		public.Escalation[i].People = numbered("person", rung.People)
		public.Escalation[i].Webhooks = numbered("webhook", rung.Webhooks)
	}
	return &public
}

func numbered(what string, names []string) []string {
	var all []string
	for i := range names {
		all = append(all, number(what, i))
	}
	return all
}

func number(what string, i int) string { return fmt.Sprintf("%s-%d", what, i+1) }

// PublicDocument is a policy's document as Public has the policy, without comments then; and as it was written, if it
// names neither people nor webhooks.
func (p *Policy) PublicDocument(document []byte) ([]byte, error) {
	named := func(r Rung) bool { return len(r.People)+len(r.Webhooks) > 0 }
	if !slices.ContainsFunc(p.Escalation, named) {
		return document, nil
	}
	root, problems := load(document)
	if len(problems) > 0 {
		return nil, fmt.Errorf("read a policy that was published: %w", problems)
	}
	uncomment(root)
	for _, rung := range value(root, "escalation").Content {
		told := map[string]int{}
		for _, one := range value(rung, "tell").Content {
			if one.Kind != yaml.MappingNode {
				continue
			}
			what, name := one.Content[0].Value, one.Content[1]
			name.Value, name.Style = number(what, told[what]), 0
			told[what]++
		}
	}
	public, err := yaml.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("write a policy without the names in it: %w", err)
	}
	return public, nil
}

// uncomment forgets comments: what they say of whom nobody can tell.
func uncomment(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, child := range n.Content {
		uncomment(child)
	}
}

// value gives what a mapping has under a key; a node without content when it has nothing.
func value(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return &yaml.Node{}
}

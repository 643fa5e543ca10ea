package policy

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// Public returns the policy as customers see it: people and webhooks in escalation steps are replaced by placeholders.
func (p *Policy) Public() *Policy {
	public := *p
	public.Escalation = slices.Clone(p.Escalation)
	for i, step := range public.Escalation {
		public.Escalation[i].People = placeholders("person", step.People)
		public.Escalation[i].Webhooks = placeholders("webhook", step.Webhooks)
	}
	return &public
}

func placeholders(what string, names []string) []string {
	var all []string
	for i := range names {
		all = append(all, placeholder(what, i))
	}
	return all
}

func placeholder(what string, i int) string { return fmt.Sprintf("%s-%d", what, i+1) }

// PublicDocument returns the document of the policy as returned by Public, without comments. A document that names no
// people or webhooks is returned unchanged.
func (p *Policy) PublicDocument(document []byte) ([]byte, error) {
	named := func(r EscalationStep) bool { return len(r.People)+len(r.Webhooks) > 0 }
	if !slices.ContainsFunc(p.Escalation, named) {
		return document, nil
	}
	root, problems := load(document)
	if len(problems) > 0 {
		return nil, fmt.Errorf("parse published policy: %w", problems)
	}
	stripComments(root)
	for _, step := range mappingValue(root, "escalation").Content {
		count := map[string]int{}
		for _, one := range mappingValue(step, "tell").Content {
			if one.Kind != yaml.MappingNode {
				continue
			}
			what, name := one.Content[0].Value, one.Content[1]
			name.Value, name.Style = placeholder(what, count[what]), 0
			count[what]++
		}
	}
	public, err := yaml.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("encode public policy: %w", err)
	}
	return public, nil
}

// stripComments removes comments, because they may contain names.
func stripComments(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, child := range n.Content {
		stripComments(child)
	}
}

// mappingValue returns the value of a key in a mapping, or a node without content.
func mappingValue(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return &yaml.Node{}
}

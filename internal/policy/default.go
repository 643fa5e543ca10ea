package policy

import (
	_ "embed"
	"slices"
	"sync"
)

//go:embed holesalemart.yaml
var holesalemart []byte

var parseDefault = sync.OnceValue(func() *Policy {
	p, err := Parse(holesalemart)
	if err != nil {
		panic("the embedded policy: " + err.Error()) // a build defect that every test would catch
	}
	return p
})

// Holesalemart returns the document of Holesalemart's published policy, in YAML.
func Holesalemart() []byte { return slices.Clone(holesalemart) }

// Default returns Holesalemart's policy, parsed once.
func Default() *Policy { return parseDefault() }

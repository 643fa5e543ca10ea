package main

import (
	"regexp"
	"testing"
)

func TestBuildID_differsWhereverTheCodeMayDiffer(t *testing.T) {
	before := version
	t.Cleanup(func() { version = before })
	for stamped, want := range map[string]string{
		"v1.4.0": `^v1\.4\.0$`, "v1.4.0-3-gabc1234": `^v1\.4\.0-3-gabc1234$`, "devel": `^devel\.[0-9a-f]{8}$`,
		"(devel)": `^devel\.[0-9a-f]{8}$`, "v1.4.0-dirty": `^v1\.4\.0-dirty\.[0-9a-f]{8}$`,
		"v0.0.0-20261130120000-abcdef123456+dirty": `^v0\.0\.0-20261130120000-abcdef123456\+dirty\.[0-9a-f]{8}$`,
	} {
		version = stamped
		if got, err := buildID(); err != nil || !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %q, %v", stamped, got, err)
		}
	}
}

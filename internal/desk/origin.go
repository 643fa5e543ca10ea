package desk

import (
	"context"
	"strings"
	"unicode"
)

// CommandLine is the source of what an operator does with the program itself.
const CommandLine = "command line"

const maxAgent = 200

// Origin is where a request comes from, for the record of security events.
type Origin struct {
	Source string // network address, or CommandLine
	Agent  string // browser or program, as it names itself; shortened
}

type originKey struct{}

// WithOrigin returns a context that carries the origin of a request. Characters of agent that can't be printed are left
// out.
func WithOrigin(ctx context.Context, source, agent string) context.Context {
	printed := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, agent))
	return context.WithValue(ctx, originKey{}, Origin{Source: source, Agent: string(printed[:min(len(printed), maxAgent)])})
}

// OriginOf returns the origin that a context carries. One without belongs to no request: its source is CommandLine.
func OriginOf(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(Origin); ok {
		return o
	}
	return Origin{Source: CommandLine}
}

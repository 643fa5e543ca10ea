package desk

import (
	"context"
	"strings"
	"unicode"
)

// CommandLine is the source of requests that an operator makes with the program itself.
const CommandLine = "command line"

const maxAgent = 200 // characters

// Origin is the origin of a request, for the log of security events.
type Origin struct {
	Source string // network address, or CommandLine
	Agent  string // the User-Agent header, truncated
}

type originKey struct{}

// WithOrigin returns a context that carries the origin of a request. It removes unprintable characters from agent.
func WithOrigin(ctx context.Context, source, agent string) context.Context {
	printed := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, agent))
	return context.WithValue(ctx, originKey{}, Origin{Source: source, Agent: string(printed[:min(len(printed), maxAgent)])})
}

// OriginOf returns the origin that a context carries. Without one, there is no HTTP request and its source is CommandLine.
func OriginOf(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(Origin); ok {
		return o
	}
	return Origin{Source: CommandLine}
}

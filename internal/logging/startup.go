package logging

import (
	"log/slog"
	"os"
)

// Variable is the environment variable with the format of log lines.
const Variable = "SUPPORTDESK_LOG_FORMAT"

// JSON is the format in which each line is an object.
const JSON = "json"

// What libraries log themselves has the format of all other lines, also before main begins: OpenTelemetry reads limits then. Go
// initializes the packages whose imports are initialized in the order of their paths, so this one, which imports little, comes first.
func init() { //nolint:gochecknoinits // see above
	if os.Getenv(Variable) == JSON {
		slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	}
}

package local

// PostgresServes and PostgresServesByPS are the judgement on a postmaster.pid, by /proc and by what there is elsewhere.
var PostgresServes = postgresServes

func PostgresServesByPS(pid int, data string) bool {
	p, found := processFromPS(pid)
	return found && p.servesPostgres(data)
}

// NewTail returns an empty tail.
func NewTail() *tail { return &tail{} }

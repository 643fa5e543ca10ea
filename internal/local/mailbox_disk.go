package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func (m *Mailbox) path(id int) string {
	return filepath.Join(m.opts.Dir, fmt.Sprintf("%06d%s", id, mailSuffix))
}

func byID(message Message, id int) int { return message.ID - id }

// write stores a mail atomically. Without fsync, a power failure can lose the newest mails.
func (m *Mailbox) write(id int, text []byte) error {
	_ = os.Mkdir(m.opts.Dir, privateDir) // removed by hand, say; if it can't be made, the write says why
	if err := ReplaceFile(m.path(id), text, false); err != nil {
		return fmt.Errorf("store mail: %w", err)
	}
	return nil
}

// readRecent loads the newest mails of earlier runs and counts all. Unreadable ones are skipped, but their numbers stay
// in use.
func (m *Mailbox) readRecent() error {
	entries, err := os.ReadDir(m.opts.Dir)
	if err != nil {
		return fmt.Errorf("list the mails: %w", err)
	}
	var ids []int
	for _, entry := range entries {
		number, isMail := strings.CutSuffix(entry.Name(), mailSuffix)
		if id, err := strconv.Atoi(number); isMail && err == nil && filepath.Base(m.path(id)) == entry.Name() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	m.total = len(ids)
	for _, id := range ids[max(0, len(ids)-m.opts.Recent):] {
		m.last = id
		if message, err := m.read(id); err == nil {
			m.recent = append(m.recent, message)
		}
	}
	return nil
}

// read reads a mail from disk. The error is fs.ErrNotExist if there is none; a power failure may leave an empty file.
func (m *Mailbox) read(id int) (Message, error) {
	text, err := os.ReadFile(m.path(id))
	if err == nil && len(text) == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Message{}, fmt.Errorf("read a mail: %w", err)
	}
	e, raw := cutEnvelope(text)
	message := parseMessage(e, raw)
	message.ID = id
	return message, nil
}

func (m *Mailbox) newest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// find returns a mail by ID.
func (m *Mailbox) find(id int) (Message, bool) {
	recent := m.Messages()
	if i, found := slices.BinarySearchFunc(recent, id, byID); found {
		return recent[i], true
	}
	message, err := m.read(id)
	return message, err == nil
}

// newestFirst yields the mails before an ID, newest first: those in memory, then those on disk one at a time.
// Unreadable ones are skipped.
func (m *Mailbox) newestFirst(before int) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		recent := m.Messages()
		oldest := min(before, m.newest()+1)
		for _, message := range slices.Backward(recent) {
			oldest = min(oldest, message.ID)
			if message.ID < before && !yield(message) {
				return
			}
		}
		for id := oldest - 1; id > 0; id-- {
			message, err := m.read(id)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil && !yield(message) {
				return
			}
		}
	}
}

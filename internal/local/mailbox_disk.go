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

// write puts a mail on disk, complete or not at all. It is written under a name that no reader looks for, and what could
// not be written is removed, since it may be what fills the disk. A kill leaves at most one such file, which the next
// mail overwrites. There is no fsync: a power cut can take the newest mails away.
func (m *Mailbox) write(id int, text []byte) error {
	_ = os.Mkdir(m.opts.Dir, privateDir) // removed by hand, say; if it can't be made, the write says why
	draft := m.path(id) + ".draft"
	err := os.WriteFile(draft, text, privateFile)
	if err == nil {
		err = os.Rename(draft, m.path(id))
	}
	if err != nil {
		_ = os.Remove(draft)
		return fmt.Errorf("keep a mail: %w", err)
	}
	return nil
}

// readRecent reads the newest mails of earlier runs, and how many there are. One that can't be read is left out, but its
// number stays taken.
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

// read gives a mail from the disk; an error that is fs.ErrNotExist when there is none. An empty file is what a power cut
// has left of one.
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

// find gives one mail, however old.
func (m *Mailbox) find(id int) (Message, bool) {
	recent := m.Messages()
	if i, found := slices.BinarySearchFunc(recent, id, byID); found {
		return recent[i], true
	}
	message, err := m.read(id)
	return message, err == nil
}

// newestFirst gives the mails before an ID, the newest first: those in memory, then those on disk, one at a time. One
// that can't be read is left out.
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

package local

import (
	"errors"
	"fmt"
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

// readRecent reads the newest mails of earlier runs, and how many there are.
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
		message, err := m.read(id)
		if err != nil {
			return err
		}
		m.recent, m.last = append(m.recent, message), id
	}
	return nil
}

// read gives a mail from the disk; an error that is fs.ErrNotExist when there is none.
func (m *Mailbox) read(id int) (Message, error) {
	text, err := os.ReadFile(m.path(id))
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

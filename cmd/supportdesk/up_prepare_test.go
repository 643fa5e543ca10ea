package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReplaceFile_leavesTheOldOneWhenItFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.json")
	if err := replaceFile(file, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file+".draft", 0o700); err != nil { // as good as a full disk
		t.Fatal(err)
	}
	if err := replaceFile(file, []byte("new")); err == nil {
		t.Error("a write that cannot be is no error")
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "old" {
		t.Errorf("the file holds %q: %v", got, err)
	}
	if err := os.RemoveAll(file + ".draft"); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(file, []byte("new")); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "new" {
		t.Errorf("the file holds %q", got)
	}
}

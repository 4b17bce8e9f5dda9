// Judge of notes, cosignatures and proofs, for test_go_interop.py.
//
// Reads a JSON array of cases on standard input and writes one verdict a case: "" where Go's
// golang.org/x/mod/sumdb accepts it, otherwise Go's error. Notes are opened by note.Open, proofs
// checked by tlog.CheckRecord and tlog.CheckTree. Go's package has no cosignatures (C2SP
// algorithm 04); the verifier below adds them from the text of the specification.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type testCase struct {
	Check string // "note", "record" or "tree"

	Note  string
	Vkeys []string

	Size, Other int64 // record: tree size, index; tree: new size, old size
	Root, Hash  []byte
	Proof       [][]byte
}

// cosigner verifies timestamped cosignatures of one witness.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(body, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), body)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func newVerifier(vkey string) (note.Verifier, error) {
	if v, err := note.NewVerifier(vkey); err == nil {
		return v, nil
	}
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("malformed key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, errors.New("unknown key")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if fmt.Sprintf("%x", sum[:4]) != parts[1] {
		return nil, errors.New("the id is not that of the key")
	}
	return cosigner{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}, nil
}

func openNote(c testCase) error {
	var verifiers []note.Verifier
	for _, vkey := range c.Vkeys {
		v, err := newVerifier(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, v)
	}
	opened, err := note.Open([]byte(c.Note), note.VerifierList(verifiers...))
	if err == nil && len(opened.Sigs) != len(verifiers) {
		return errors.New("not every key has signed")
	}
	return err
}

func toHash(b []byte) (h tlog.Hash) {
	copy(h[:], b)
	return h
}

func judge(c testCase) error {
	var proof []tlog.Hash
	for _, p := range c.Proof {
		proof = append(proof, toHash(p))
	}
	switch c.Check {
	case "note":
		return openNote(c)
	case "record":
		return tlog.CheckRecord(proof, c.Size, toHash(c.Root), c.Other, toHash(c.Hash))
	case "tree":
		return tlog.CheckTree(proof, c.Size, toHash(c.Root), c.Other, toHash(c.Hash))
	}
	return errors.New("unknown check")
}

func main() {
	var cases []testCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	verdicts := make([]string, len(cases))
	for i, c := range cases {
		if err := judge(c); err != nil {
			verdicts[i] = err.Error()
		}
	}
	json.NewEncoder(os.Stdout).Encode(verdicts)
}

// reader checks a log of detente, as the files it serves, with code that nobody here wrote: signed notes and tiles by
// golang.org/x/mod/sumdb, Ed25519 and SHA-256 by Go's standard library.
//
//	reader DIR LOG-VKEY COSIGNER-VKEY OLD-SIZE OLD-ROOT
//
// DIR holds `checkpoint` and `tile/…`. Go's libraries know no ML-DSA-44, so those signature lines are not looked at.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("INVALID:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("got %d arguments, should be 5", len(args))
	}
	dir := args[0]
	byLog, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	byWitness, err := newCosigner(args[2])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	opened, err := note.Open(text, note.VerifierList(byLog, byWitness))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != 2 {
		return fmt.Errorf("got %d known signatures, should be 2: the log's and the cosigner's", len(opened.Sigs))
	}
	tree, err := parseTree(opened.Text, byLog.Name())
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, &files{dir, tree.N})
	for n := int64(0); n < tree.N; n++ {
		entry, err := readEntry(dir, n, tree.N)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	oldSize, err := strconv.ParseInt(args[3], 10, 64)
	if err != nil {
		return err
	}
	oldRoot, err := tlog.ParseHash(args[4])
	if err != nil {
		return err
	}
	grown, err := tlog.ProveTree(tree.N, oldSize, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(grown, tree.N, tree.Hash, oldSize, oldRoot); err != nil {
		return fmt.Errorf("from %d entries: %w", oldSize, err)
	}
	fmt.Printf("VALID: %d entries of %s, cosigned by %s, grown from %d\n", tree.N, byLog.Name(), byWitness.Name(), oldSize)
	return nil
}

func parseTree(text, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("checkpoint is %q, should be origin, size and root", text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// cosigner verifies `cosignature/v1` lines: eight bytes of time, then Ed25519 over a header and the checkpoint.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("vkey is %q, should be name+id+key", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, fmt.Errorf("vkey is %q, should hold an Ed25519 cosignature key", vkey)
	}
	hash := sha256.Sum256([]byte(parts[0] + "\n" + string(key)))
	id := binary.BigEndian.Uint32(hash[:4])
	if fmt.Sprintf("%08x", id) != parts[1] {
		return nil, fmt.Errorf("key id is %s, should be %08x", parts[1], id)
	}
	return &cosigner{parts[0], id, key[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.id }
func (c *cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(c.key, []byte(message), signature[8:])
}

// files reads hash tiles from a directory, as tlog's reader asks for them; it checks each against the tree's root.
type files struct {
	dir  string
	size int64
}

func (f *files) Height() int                     { return 8 }
func (f *files) SaveTiles([]tlog.Tile, [][]byte) {}
func (f *files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1) // C2SP tiles have one height, so paths leave it out
		data, err := os.ReadFile(filepath.Join(f.dir, path))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func readEntry(dir string, n, size int64) ([]byte, error) {
	width := 256
	if n/256 == size/256 {
		width = int(size % 256)
	}
	tile := tlog.Tile{H: 8, L: -1, N: n / 256, W: width}
	path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		return nil, err
	}
	for i := int64(0); ; i++ {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s is cut off before entry %d", path, n)
		}
		length := int(binary.BigEndian.Uint16(data))
		if i == n%256 {
			return data[2 : 2+length], nil
		}
		data = data[2+length:]
	}
}

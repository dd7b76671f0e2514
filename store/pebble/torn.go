package pebble

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	pebbledb "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble takes the first chunk that it can't read for the end of a log, if it
// finds no proof of damage in a later block of 32 KiB; of its list of tables,
// always, and then it deletes the tables that the list lacks. So a single bit
// could take away what was durable, without a word. The checks here read both
// before Pebble does and look closer.
//
// The form of chunks is that of Pebble's package record: checksum, 4 bytes;
// length, 2; kind, 1; then in logs the log's number, 4, and the offset up to
// which the log was synced before the chunk was written, 8. No chunk crosses the
// end of a block.
const (
	chunkBlock      = 32 << 10
	chunkHead       = 7
	logChunkHead    = 19
	firstLogChunk   = 9 // kinds of chunks in logs
	lastLogChunk    = 12
	firstTableChunk = 1 // kinds of chunks in the list of tables
	lastTableChunk  = 4
	oldestKind      = 5 // from here to firstLogChunk: ends a log
)

// checkEnds returns an error if the list of tables or a log ends in damage
// rather than where the machine stopped.
func checkEnds(dir string, fs vfs.FS) error {
	desc, err := pebbledb.Peek(dir, fs)
	if err != nil || !desc.Exists {
		return err
	}
	if err := checkFile(fs, desc.ManifestFilename, tableListDamage); err != nil {
		return err
	}
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		digits, isLog := strings.CutSuffix(name, ".log")
		number, err := strconv.ParseUint(digits, 10, 32)
		if !isLog || err != nil {
			continue
		}
		damage := func(b []byte) int { return logDamage(b, uint32(number)) }
		if err := checkFile(fs, fs.PathJoin(dir, name), damage); err != nil {
			return err
		}
	}
	return nil
}

// checkFile reads a file and returns an error if there is damage in it.
func checkFile(fs vfs.FS, path string, damage func([]byte) int) error {
	f, err := fs.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return err
	}
	if at := damage(b); at >= 0 {
		return fmt.Errorf("%w: %s at byte %d", pebbledb.ErrCorruption, filepath.Base(path), at)
	}
	return nil
}

// logDamage returns the place of the first chunk of a log that can't be read
// though it was synced, as a later chunk tells; -1 if it is whole.
func logDamage(b []byte, number uint32) int {
	at := 0
	for {
		at = skipTail(b, at, logChunkHead)
		n, _, ok := logChunk(b, at, number)
		if !ok {
			break
		}
		at += n
	}
	if at+chunkHead <= len(b) && b[at+6] >= oldestKind && b[at+6] < firstLogChunk {
		return -1 // the mark that ends a log which was closed
	}
	for later := at + 1; later+logChunkHead <= len(b); later++ {
		if _, synced, ok := logChunk(b, later, number); ok && synced > uint64(at) {
			return at
		}
	}
	return -1
}

// tableListDamage returns the place of the first chunk of the list of tables
// that can't be read, unless the file ends there as one does that was torn: at
// the border of a sector, or in zeroes. -1 if it is whole.
func tableListDamage(b []byte) int {
	const sector = 512
	at := 0
	for {
		at = skipTail(b, at, chunkHead)
		n, ok := tableChunk(b, at)
		if !ok {
			break
		}
		at += n
	}
	if at >= len(b) || len(b)%sector == 0 || b[len(b)-1] == 0 && len(strings.Trim(string(b[at:]), "\x00")) == 0 {
		return -1
	}
	return at
}

// skipTail returns the start of the next block if what is left of this one is too
// short for a chunk's head.
func skipTail(b []byte, at, head int) int {
	if left := chunkBlock - at%chunkBlock; left < head && at < len(b) {
		return at + left
	}
	return at
}

// logChunk returns the length of the chunk of a log at a place, and the offset
// up to which the log was synced before it.
func logChunk(b []byte, at int, number uint32) (n int, synced uint64, ok bool) {
	if at+logChunkHead > len(b) || b[at+6] < firstLogChunk || b[at+6] > lastLogChunk || binary.LittleEndian.Uint32(b[at+7:]) != number {
		return 0, 0, false
	}
	n, ok = chunk(b, at, logChunkHead)
	return n, binary.LittleEndian.Uint64(b[at+11:]), ok
}

// tableChunk returns the length of the chunk of the list of tables at a place.
func tableChunk(b []byte, at int) (n int, ok bool) {
	if at+chunkHead > len(b) || b[at+6] < firstTableChunk || b[at+6] > lastTableChunk {
		return 0, false
	}
	return chunk(b, at, chunkHead)
}

// chunk returns the length of a chunk, head included, if its checksum is right.
func chunk(b []byte, at, head int) (n int, ok bool) {
	n = head + int(binary.LittleEndian.Uint16(b[at+4:]))
	if at+n > len(b) || at%chunkBlock+n > chunkBlock {
		return 0, false
	}
	sum := crc32.Checksum(b[at+6:at+n], castagnoli)
	return n, (sum>>15|sum<<17)+0xa282ead8 == binary.LittleEndian.Uint32(b[at:])
}

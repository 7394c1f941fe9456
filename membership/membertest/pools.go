package membertest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"holdfast"
	"holdfast/membership/layout"
	"holdfast/storage"
)

// place is where a block is: in the pool file of an epoch.
type place struct {
	epoch holdfast.Epoch
	block int64
}

// blockSize is small, so that the model's files are.
const blockSize = 256

// pools are the pool files of an object server. R4: blocks are handed out in the file of the own epoch, which alone grows, and in
// those of drained epochs.
type pools struct {
	fs     storage.FS
	dir    string
	own    holdfast.Epoch
	direct bool

	mu    sync.Mutex // guards what follows; not held during I/O
	files map[holdfast.Epoch]storage.DataFile
	reuse map[holdfast.Epoch]bool // whose blocks may be handed out
	free  []place                 // oldest files first, so that they are filled before the own grows
	size  int64                   // of the own file, in blocks
}

func poolName(e holdfast.Epoch) string { return fmt.Sprintf("%d.%d", blockSize, e) }

func openPools(fsys storage.FS, dir string, own holdfast.Epoch, undrained []holdfast.Epoch, used []place, direct bool) (*pools, error) {
	p := &pools{fs: fsys, dir: dir, own: own, direct: direct, files: map[holdfast.Epoch]storage.DataFile{},
		reuse: map[holdfast.Epoch]bool{own: true}}
	names, err := fsys.List(dir)
	if err != nil {
		return nil, err
	}
	var epochs []holdfast.Epoch
	for _, name := range names {
		e, ok := layout.PoolEpoch(name)
		// An epoch that is not drained may have used the holes of older files.
		held := slices.ContainsFunc(undrained, func(u holdfast.Epoch) bool { return e <= u })
		if ok && e < own && !held {
			epochs = append(epochs, e)
		}
	}
	slices.Sort(epochs)
	for _, e := range epochs {
		if err := p.reopen(e, used); err != nil {
			return nil, err
		}
	}
	if _, err := p.file(own); err != nil {
		return nil, err
	}
	return p, storage.SyncDir(fsys, dir)
}

// reopen hands out the blocks of an older file that no object is in.
func (p *pools) reopen(e holdfast.Epoch, used []place) error {
	f, err := p.file(e)
	if err != nil {
		return err
	}
	attr, err := p.fs.ForcedStat(unwrapped(f))
	if err != nil {
		return err
	}
	p.reuse[e] = true
	for block := range attr.Size / blockSize {
		if at := (place{e, block}); !slices.Contains(used, at) {
			p.free = append(p.free, at)
		}
	}
	return nil
}

// unwrapped returns the mount's own file, which is what it can read the attributes of.
func unwrapped(f storage.DataFile) storage.DataFile {
	if r, ok := f.(retryingData); ok {
		return r.DataFile
	}
	return f
}

// file returns the open file of an epoch.
func (p *pools) file(e holdfast.Epoch) (storage.DataFile, error) {
	p.mu.Lock()
	f := p.files[e]
	p.mu.Unlock()
	if f != nil {
		return f, nil
	}
	mode := storage.Buffered
	if p.direct {
		mode = storage.Direct
	}
	f, err := p.fs.OpenData(p.fs.PathJoin(p.dir, poolName(e)), mode)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files[e] = f
	return f, nil
}

// alloc takes a block.
func (p *pools) alloc() place {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) > 0 {
		at := p.free[0]
		p.free = p.free[1:]
		return at
	}
	p.size++
	return place{p.own, p.size - 1}
}

// release gives a block back, if blocks of its file may be used at all.
func (p *pools) release(at place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reuse[at.epoch] && !slices.Contains(p.free, at) {
		p.free = append(p.free, at)
	}
}

// write fills a block and returns the file to sync.
func (p *pools) write(at place, b []byte) (storage.DataFile, error) {
	f, err := p.file(at.epoch)
	if err == nil {
		_, err = f.WriteAt(b, at.block*blockSize)
	}
	return f, err
}

func (p *pools) read(at place) ([]byte, error) {
	f, err := p.file(at.epoch)
	if err != nil {
		return nil, err
	}
	b := make([]byte, blockSize)
	if _, err = f.ReadAt(b, at.block*blockSize); err == io.EOF {
		err = nil // a hole at the end
	}
	return b, err
}

// encodeBlock fills a block with what an object is, over and over, and a checksum.
func encodeBlock(object, key string, seq uint64) []byte {
	line := fmt.Appendf(nil, "%s %s %d\n", object, key, seq)
	b := bytes.Repeat(line, blockSize/len(line)+1)[:blockSize-4]
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func decodeBlock(b []byte) (object, key string, seq uint64, ok bool) {
	if crc32.ChecksumIEEE(b[:blockSize-4]) != binary.LittleEndian.Uint32(b[blockSize-4:]) {
		return "", "", 0, false
	}
	n, _ := fmt.Sscanf(string(b), "%s %s %d\n", &object, &key, &seq)
	return object, key, seq, n == 3
}

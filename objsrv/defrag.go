package objsrv

import "context"

// DefragResult tells what a defragmentation did.
type DefragResult struct {
	Moved   int64 // bytes of blocks moved
	Punched int64 // bytes given back to the filesystem
	Files   int   // old pool files removed
}

// Defragment is being written.
func (e *Engine) Defragment(ctx context.Context, rate int64) (DefragResult, error) {
	return DefragResult{}, nil
}

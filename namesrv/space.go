package namesrv

import (
	"time"

	"holdfast"
)

// A full filesystem fails the next write of the log, and with it the service (rule R6). So what makes the store grow is
// refused while there still is room for what makes it shrink: deletes, aborts, and the freeing of bytes.

// watchSpace asks the mount for its free space now and then. The answer may take long, so nobody waits for it; an error is no
// information.
func (e *Engine) watchSpace() {
	tick := time.NewTicker(e.lim.Background)
	defer tick.Stop()
	for {
		if usage, err := e.opt.FS.GetDiskUsage(e.opt.StoreDir); err == nil {
			e.full.Store(usage.AvailBytes < e.lim.MinFree)
		}
		select {
		case <-e.background.Done():
			return
		case <-e.store.Lost():
			return
		case <-tick.C:
		}
	}
}

// grows reports whether an operation needs room that it does not give back.
func grows(op holdfast.Op) bool {
	switch op.(type) {
	case holdfast.PutEntry, holdfast.SetEntry, holdfast.SetBucket, holdfast.MakeDir, holdfast.LinkDir,
		holdfast.CreateUpload, holdfast.PutPart, holdfast.IndexUpload:
		return true
	}
	return false
}

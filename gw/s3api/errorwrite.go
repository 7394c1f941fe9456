package s3api

import (
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// xmlHeader starts every XML answer.
const xmlHeader = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// ContentTypeXML is the Content-Type of every XML answer.
const ContentTypeXML = "application/xml"

// AppendError appends the XML document of e for the request and returns the extended buffer. resource is the escaped path of
// the request, or "" to leave the element out.
func AppendError(dst []byte, e *Error, id RequestID, resource string) []byte {
	dst = append(dst, xmlHeader...)
	dst = append(dst, "<Error>"...)
	dst = appendElement(dst, "Code", string(e.Code))
	dst = appendElement(dst, "Message", displayText(e.text()))
	for _, d := range e.Detail {
		dst = appendElement(dst, d.Name, displayText(d.Value))
	}
	if resource != "" {
		dst = appendElement(dst, "Resource", resource)
	}
	dst = appendElement(dst, "RequestId", id.Request)
	dst = appendElement(dst, "HostId", id.Host)
	return append(dst, "</Error>"...)
}

// displayText replaces what XML 1.0 cannot hold by U+FFFD. In an answer that names objects that would be wrong (see
// appendText); in an error it keeps the document readable, and so the code, which is what clients act on.
func displayText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r
	}, s)
}

// WriteError answers the request with the S3 error in err's chain (see [AsError]) and returns it, so that the caller can log
// and count what was sent. It sets the request id headers itself. The rules of RFC 9110 for answers without a body:
//
//   - HEAD has no body, so a client sees the status and the headers alone (S3 sends no code either);
//   - 304 has no body, no Content-Type and no Content-Length, but keeps ETag, Last-Modified and the other validators
//     the handler has already set (section 15.4.5);
//   - every other status has the XML document; headers that describe a representation the handler had begun to
//     announce (ETag, Content-Encoding, ...) are removed, since they would describe the error document.
//
// It must be called before anything of the answer was written.
func WriteError(w http.ResponseWriter, r *http.Request, err error, id RequestID) *Error {
	e := AsError(err)
	if e == nil {
		e = E(InternalError)
	}
	header := w.Header()
	id.SetHeaders(header)
	status := e.Status()
	if status == http.StatusNotModified {
		header.Del("Content-Type")
		header.Del("Content-Length")
		copyHeader(header, e.Header)
		w.WriteHeader(status)
		return e
	}
	for _, name := range representationHeaders {
		header.Del(name)
	}
	copyHeader(header, e.Header)
	header.Set("Content-Type", ContentTypeXML)
	if r.Method == http.MethodHead {
		w.WriteHeader(status)
		return e
	}
	body := AppendError(make([]byte, 0, 512), e, id, r.URL.EscapedPath())
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: there is nobody left to tell
	return e
}

// representationHeaders describe a body; an error document must not inherit them from an object.
var representationHeaders = [...]string{
	"Content-Length", "Content-Range", "Content-Encoding", "Content-Language", "Content-Disposition", "Cache-Control",
	"Expires", "ETag", "Last-Modified", "Accept-Ranges",
}

func copyHeader(dst, src http.Header) {
	for name, values := range src {
		dst[name] = append([]string(nil), values...)
	}
}

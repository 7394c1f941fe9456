package s3api

import (
	"html"
	"net/http"
	"strconv"
)

// WriteErrorPage is [WriteError] for visitors of a web site: the error is a page of HTML. second is why the site's own error document
// could not be shown, nil if it has none.
func WriteErrorPage(w http.ResponseWriter, r *http.Request, err error, second error, id RequestID) *Error {
	e := AsError(err)
	if e.Status() == http.StatusNotModified {
		return WriteError(w, r, err, id)
	}
	header := w.Header()
	id.SetHeaders(header)
	for _, name := range representationHeaders {
		header.Del(name)
	}
	copyHeader(header, e.Header)
	header.Set("Content-Type", "text/html; charset=utf-8")
	if r.Method == http.MethodHead {
		SetErrorHeaders(header, e)
		w.WriteHeader(e.Status())
		return e
	}
	page := appendErrorPage(nil, e, AsError(second), id)
	header.Set("Content-Length", strconv.Itoa(len(page)))
	w.WriteHeader(e.Status())
	_, _ = w.Write(page) // the client is gone: there is nobody left to tell
	return e
}

// SetErrorHeaders says in headers what the error was, where the body is not about it.
func SetErrorHeaders(h http.Header, e *Error) {
	h.Set("X-Amz-Error-Code", string(e.Code))
	h.Set("X-Amz-Error-Message", e.text())
	for _, d := range e.Detail {
		if d.Name == "Key" && CleanHeaderValue(d.Value) {
			h.Set("X-Amz-Error-Detail-Key", d.Value)
		}
	}
}

func appendErrorPage(dst []byte, e, second *Error, id RequestID) []byte {
	title := strconv.Itoa(e.Status()) + " " + http.StatusText(e.Status())
	dst = append(dst, "<html>\n<head><title>"+title+"</title></head>\n<body>\n<h1>"+title+"</h1>\n<ul>\n"...)
	dst = appendErrorItems(dst, e)
	dst = appendItem(dst, "RequestId", id.Request)
	dst = appendItem(dst, "HostId", id.Host)
	dst = append(dst, "</ul>\n"...)
	if second != nil {
		dst = append(dst, "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n"...)
		dst = appendErrorItems(dst, second)
		dst = append(dst, "</ul>\n"...)
	}
	return append(dst, "<hr/>\n</body>\n</html>\n"...)
}

func appendErrorItems(dst []byte, e *Error) []byte {
	dst = appendItem(dst, "Code", string(e.Code))
	dst = appendItem(dst, "Message", e.text())
	for _, d := range e.Detail {
		dst = appendItem(dst, d.Name, d.Value)
	}
	return dst
}

func appendItem(dst []byte, name, value string) []byte {
	dst = append(dst, "<li>"+name+": "...)
	dst = append(dst, html.EscapeString(displayText(value))...)
	return append(dst, "</li>\n"...)
}

